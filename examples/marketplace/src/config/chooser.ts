import type { Environment, VariableName } from "./environment.ts";
import { withoutSecrets } from "./service-url.ts";

/** One effective value, for `config --print`. */
export interface Setting {
  readonly name: VariableName;
  /** As it may be shown: no secrets. */
  readonly shown: string;
  /** `set`, `default`, or the variable or rule it came from. */
  readonly source: string;
}

/** Chooses effective values, and keeps account of where each came from. */
export type Chooser = ReturnType<typeof chooser>;

/** A {@link Chooser} over what the environment says. */
export function chooser(environment: Environment) {
  const settings: Setting[] = [];

  /** Keeps account of a value chosen elsewhere. */
  function note(name: VariableName, shown: string, source: string): void {
    settings.push({ name, shown, source });
  }

  /** The variable's value, or the fallback. */
  function setting<Name extends VariableName, T>(
    name: Name,
    fallback: T,
    source = "default",
  ): NonNullable<Environment[Name]> | T {
    const given = environment[name];
    const value = given ?? fallback;
    note(
      name,
      value === undefined || String(value) === "" ? "(none)" : String(value),
      given === undefined ? source : "set",
    );
    return value;
  }

  /** The URL in the first of the variables that is set. */
  function address(...names: readonly [VariableName, ...VariableName[]]): string | undefined {
    const found = names.find((name) => environment[name] !== undefined);
    const value = found === undefined ? undefined : String(environment[found]);
    const elsewhere = found === undefined ? "default" : `from ${found}`;
    note(names[0], value === undefined ? "(none)" : withoutSecrets(value), found === names[0] ? "set" : elsewhere);
    return value;
  }

  return { environment, settings, note, setting, address };
}
