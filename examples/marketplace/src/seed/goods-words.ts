/** What a category's goods are called and cost. */
export interface GoodsGrammar {
  readonly slug: string;
  readonly name: string;
  readonly makers: readonly string[];
  readonly things: readonly string[];
  readonly variants: readonly string[];
  /** Kobo, lowest and highest. */
  readonly pricesMinor: readonly [number, number];
}

function list(text: string): readonly string[] {
  return text.split(", ");
}

const naira = 100;

function grammar(slug: string, name: string, rest: Omit<GoodsGrammar, "slug" | "name">): GoodsGrammar {
  return { slug, name, ...rest };
}

/** Every category, the most popular first. */
export const goods: readonly GoodsGrammar[] = [
  grammar("phones", "Phones and tablets", {
    makers: list("Tecno, Infinix, Samsung, itel, Xiaomi, Nokia, Oraimo"),
    things: list("smartphone, dual SIM phone, tablet, feature phone, phone with large battery"),
    variants: list("64 GB, 128 GB, 256 GB, 4G, 5G, Pro, Lite"),
    pricesMinor: [18_000 * naira, 950_000 * naira],
  }),
  grammar("fashion", "Fashion", {
    makers: list("Ankara House, Aso Oke Weavers, Shweshwe Studio, Adire Works, Kente Lane"),
    things: list("wrap dress, kaftan, agbada, shirt, headwrap, skirt, jacket, senator suit"),
    variants: list("indigo, burnt orange, size M, size L, size XL, hand dyed, for children"),
    pricesMinor: [4_500 * naira, 120_000 * naira],
  }),
  grammar("food", "Food and groceries", {
    makers: list("Farm Gate, Ofada Mills, Sunrise, Mama Put, Karoo Kitchen"),
    things: list("parboiled rice, white garri, yam tubers, palm oil, rooibos tea, dried crayfish, maize meal, honey"),
    variants: list("1 kg, 5 kg, 25 kg, 50 kg, new harvest, stone free"),
    pricesMinor: [900 * naira, 95_000 * naira],
  }),
  grammar("power", "Generators and solar", {
    makers: list("Sumec Firman, Elepaq, Luminous, Felicity, Mikano, Haier"),
    things: list("petrol generator, inverter, solar panel, deep cycle battery, charge controller, solar lantern"),
    variants: list("2.5 kVA, 5 kVA, 300 W, 550 W, 200 Ah, with remote start, silent"),
    pricesMinor: [15_000 * naira, 2_400_000 * naira],
  }),
  grammar("home", "Home and furniture", {
    makers: list("Vitafoam, Mouka, Lifemate, Woodbine, Coricraft"),
    things: list("sofa, mattress, wardrobe, dining table, standing fan, bookshelf, curtain set, ceiling light"),
    variants: list("grey, walnut, six seats, queen size, foldable, with storage"),
    pricesMinor: [8_000 * naira, 850_000 * naira],
  }),
  grammar("beauty", "Beauty and health", {
    makers: list("Arami, Shea Moisture, Nature's Gentle Touch, Hegai, African Extracts"),
    things: list("raw shea butter, black soap, hair oil, face cream, braiding hair, sunscreen, perfume oil"),
    variants: list("250 ml, 500 g, unscented, for dry skin, gift set"),
    pricesMinor: [1_200 * naira, 45_000 * naira],
  }),
  grammar("computers", "Computers", {
    makers: list("HP, Dell, Lenovo, Zinox, Acer, Apple"),
    things: list("laptop, desktop computer, monitor, laser printer, router, external drive, keyboard"),
    variants: list("8 GB RAM, 16 GB RAM, 512 GB SSD, refurbished, 24 inch, wireless"),
    pricesMinor: [12_000 * naira, 1_900_000 * naira],
  }),
  grammar("kitchen", "Kitchen", {
    makers: list("Binatone, Kenwood, Scanfrost, Defy, Nexus, Qasa"),
    things: list("blender, gas cooker, pressure cooker, chest freezer, electric kettle, pot set, yam pounder"),
    variants: list("2 litres, 4 burners, stainless steel, 200 litres, non-stick"),
    pricesMinor: [6_000 * naira, 620_000 * naira],
  }),
  grammar("farm", "Farm and garden", {
    makers: list("Agro Direct, Green Shed, Okapi, Farm Lokal, Stihl"),
    things: list(
      "water pump, knapsack sprayer, maize seed, poultry feeder, irrigation hose, cassava grater, fertiliser",
    ),
    variants: list("3 inch, 16 litres, 10 kg, 50 metres, with engine"),
    pricesMinor: [3_500 * naira, 780_000 * naira],
  }),
  grammar("vehicles", "Vehicle parts", {
    makers: list("Toyota, Honda, Bosch, Dunlop, Exide, Bajaj"),
    things: list("car battery, tyre, brake pads, headlamp, side mirror, shock absorber, motorcycle chain"),
    variants: list("75 Ah, R15, front pair, left, tokunbo, brand new"),
    pricesMinor: [5_000 * naira, 480_000 * naira],
  }),
  grammar("babies", "Babies and toys", {
    makers: list("Molfix, Chicco, Cussons Baby, Little Acorns"),
    things: list("diapers, pram, cot, building blocks, feeding bottle set, carrier, walker"),
    variants: list("size 3, size 4, foldable, wooden, from six months"),
    pricesMinor: [2_500 * naira, 210_000 * naira],
  }),
  grammar("books", "Books and instruments", {
    makers: list("Cassava Republic, Farafina, Heinemann, Nasco, Yamaha"),
    things: list("novel, poetry collection, school atlas, talking drum, acoustic guitar, keyboard, exercise book set"),
    variants: list("paperback, signed, for beginners, pack of 12, second edition"),
    pricesMinor: [1_500 * naira, 260_000 * naira],
  }),
];

/** Parts of descriptions. */
export const phrases = {
  conditions: list("Brand new in its box, Neatly used, Direct from the maker, Fairly used and clean, Fresh stock"),
  strengths: list(
    "strong and easy on the pocket, tested before it leaves the shop, popular with returning customers, built for daily use, a good gift",
  ),
  deliveries: list(
    "Delivery within two days, Pick up at the shop or have it sent, Pay on delivery in the city, Waybill to every state",
  ),
  assurances: list(
    "Seven days to return it, One year of warranty, Ask for a video before you pay, Price is slightly negotiable",
  ),
} as const;
