/** A plausible bug, planted by replacing one piece of a source file while its tests run. */
export interface Mutant {
  /** What is broken, in a few words. */
  readonly name: string;
  /** The source file, relative to the repository. */
  readonly file: string;
  /** The text to replace. It occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The test that must fail: its file, relative to the repository, and its title, as "file > title". */
  readonly killedBy: string;
  /** How somebody could come to write this. */
  readonly reason: string;
}

/** The file and the title of the test that must fail. */
export function killerOf({ killedBy }: Mutant): { file: string; title: string } {
  const [file = "", ...title] = killedBy.split(" > ");
  return { file, title: title.join(" > ") };
}

/** The source with the defect in it. */
export function planted({ name, file, find, replace }: Mutant, source: string): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`Defect "${name}": its text must occur exactly once in ${file}. Has the source moved on?`);
  }
  return before + replace + after;
}
