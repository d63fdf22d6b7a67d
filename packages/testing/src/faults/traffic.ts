import { directions, type Direction } from "./direction.ts";
import type { Link } from "./link.ts";

/** What has passed through a proxy. */
export interface Traffic {
  /** Connections that are open at one end at least. */
  readonly connections: number;
  /** Connections that were ever accepted. */
  readonly accepted: number;
  /** Bytes handed on, and answers that were swallowed. */
  readonly delivered: Readonly<Record<Direction, number>>;
  /** Bytes that have arrived and wait: for a delay, for bandwidth or for a blackhole to end. */
  readonly held: Readonly<Record<Direction, number>>;
  /** Bytes that a blackhole threw away. */
  readonly dropped: Readonly<Record<Direction, number>>;
}

const both = (of: (direction: Direction) => number) => ({ requests: of("requests"), replies: of("replies") });

/** Counts over the open links, and over those that have gone. */
export function createTraffic(links: Set<Link>) {
  const gone = { delivered: { requests: 0, replies: 0 }, dropped: { requests: 0, replies: 0 } };
  let accepted = 0;
  const sum = (of: (link: Link) => number): number => [...links].reduce((total, link) => total + of(link), 0);
  return {
    add(link: Link): void {
      accepted += 1;
      links.add(link);
    },
    forget(link: Link): void {
      links.delete(link);
      for (const direction of directions) {
        gone.delivered[direction] += link[direction].deliveredBytes;
        gone.dropped[direction] += link[direction].droppedBytes;
      }
    },
    read: (): Traffic => ({
      connections: links.size,
      accepted,
      delivered: both((way) => gone.delivered[way] + sum((link) => link[way].deliveredBytes)),
      held: both((way) => sum((link) => link[way].heldBytes)),
      dropped: both((way) => gone.dropped[way] + sum((link) => link[way].droppedBytes)),
    }),
  };
}
