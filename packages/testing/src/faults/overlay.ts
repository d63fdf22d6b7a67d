/**
 * An object with some members replaced. All others are those of `target`, and its methods run on `target` itself, so
 * that private fields and getters work.
 */
export function overlay<Target extends object, Members extends object>(
  target: Target,
  members: Members,
): Target & Members {
  // Not a proxy of `target` itself: of a frozen object, that could not answer differently.
  return new Proxy(Object.create(Reflect.getPrototypeOf(target)) as object, {
    get(_, key) {
      if (Object.hasOwn(members, key)) return Reflect.get(members, key) as unknown;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
    has: (_, key) => key in members || key in target,
  }) as Target & Members;
}
