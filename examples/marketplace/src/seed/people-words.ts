/** Names that go together, of one country. */
export interface Country {
  readonly code: "NG" | "ZA";
  readonly givenNames: readonly string[];
  readonly familyNames: readonly string[];
  /** Largest first: more people live, and more is sold, in the first ones. */
  readonly cities: readonly string[];
  /** Prefixes of mobile numbers, in international form. */
  readonly phonePrefixes: readonly string[];
}

/** Where people of the seed data come from. Nigeria first: it has more of them. */
export const countries: readonly [Country, Country] = [
  {
    code: "NG",
    givenNames: words(
      "Adaeze Adebayo Aisha Amaka Babatunde Bola Chiamaka Chidi Chinedu Chioma Damilola Ebele Efe Emeka Femi Folake",
      "Funmilayo Garba Hadiza Halima Ibrahim Ifeoma Ikenna Jumoke Kelechi Kemi Kunle Maryam Musa Ngozi Nkechi Nneka",
      "Obinna Olumide Osagie Segun Sani Sola Tope Tunde Uche Umar Usman Yemi Yusuf Zainab",
    ),
    familyNames: words(
      "Abiola Abubakar Adekunle Adeleke Adeyemi Afolabi Akande Aliyu Anyanwu Balogun Bello Chukwu Danjuma Edet Eze",
      "Ezeani Fashola Haruna Ibekwe Igwe Johnson Lawal Mohammed Nwachukwu Nwosu Obi Odukoya Ogunleye Okafor Okeke",
      "Okonkwo Okoro Oladipo Onyeka Osei Oyelaran Sule Tijani Udoh Yakubu",
    ),
    cities: ["Lagos", "Kano", "Ibadan", "Abuja", "Port Harcourt", "Benin City", "Kaduna", "Enugu", "Jos", "Uyo"],
    phonePrefixes: ["+234 803", "+234 806", "+234 813", "+234 703", "+234 802", "+234 805", "+234 907", "+234 816"],
  },
  {
    code: "ZA",
    givenNames: words(
      "Ayanda Anele Bongani Busisiwe Dineo Elna Fatima Gugu Hannes Johan Kagiso Karabo Lebogang Lerato Lindiwe Lwazi",
      "Mandla Mpho Naledi Nandi Nomvula Palesa Pieter Refilwe Riaan Sanele Sibusiso Sipho Thabo Thandeka Themba Zanele",
    ),
    familyNames: words(
      "Botha Buthelezi Cele Dlamini Du Fourie Govender Jacobs Khumalo Mabaso Mahlangu Mbatha Mkhize Modise Mokoena",
      "Molefe Naidoo Ndlovu Nel Ngcobo Nkosi Pillay Pretorius Radebe Sithole Tshabalala Venter Zulu Zwane",
    ),
    cities: ["Johannesburg", "Cape Town", "Durban", "Pretoria", "Gqeberha", "Bloemfontein", "Polokwane", "Soweto"],
    phonePrefixes: ["+27 82", "+27 83", "+27 72", "+27 73", "+27 84", "+27 61", "+27 76"],
  },
];

/** What follows the name of a seller's shop. */
export const shopKinds = [
  "Stores",
  "Ventures",
  "Traders",
  "and Sons",
  "Enterprises",
  "Market",
  "Supplies",
  "Hub",
] as const;

function words(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(" "));
}
