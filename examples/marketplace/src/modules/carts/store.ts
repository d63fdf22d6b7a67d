/** How many of each product, by the product's id. */
export type CartLines = ReadonlyMap<string, number>;

/** What becomes of a cart. */
export interface CartChange {
  /** How many of each product there shall be from now on. 0: none. */
  readonly lines: CartLines;
  /** Whether everything else goes. */
  readonly anew: boolean;
}

/** Where carts live. Both steps are atomic, and safe to run twice. */
export interface CartStore {
  read(userId: string): Promise<CartLines>;
  /**
   * Makes the change and keeps the cart for its whole time again.
   *
   * @returns the cart as it then is; undefined where it would have too many lines, and nothing has changed.
   */
  change(userId: string, change: CartChange): Promise<CartLines | undefined>;
}

/** What bounds carts. */
export interface CartBounds {
  /** How long a cart that nobody changes is kept. */
  readonly ttlMs: number;
  /** Lines that a cart has at most. */
  readonly mostLines: number;
}
