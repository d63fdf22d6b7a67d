/** Half a kilobyte of JSON, as a list of cards might have it. */
export interface Document {
  readonly id: number;
  readonly name: string;
  readonly price: number;
  readonly tags: readonly string[];
  readonly seller: { readonly id: number; readonly rating: number };
  readonly text: string;
}

/** The document with a number. */
export function documentOf(id: number): Document {
  return {
    id,
    name: `Yam tubers, lot ${id}`,
    price: 400 + (id % 100),
    tags: ["tubers", "fresh", "bulk", `lot-${id}`],
    seller: { id: id % 50, rating: 4.5 },
    text: "Sorted, washed and packed on the day of delivery. ".repeat(6).slice(0, 300),
  };
}
