/** What is known of a refresh token that somebody presents. */
export interface TokenState {
  /** Its family has ended. */
  readonly revoked: boolean;
  readonly expired: boolean;
  /** How long ago it was replaced; null while it is the last of its family. */
  readonly rotatedMsAgo: number | null;
  /** Whether the token that replaced it was replaced in turn. */
  readonly successorUsed: boolean;
}

/** What to do about it. */
export type Verdict =
  /** Replace it. */
  | "rotate"
  /** Answer what was answered before: two tabs, or a reply that was lost. */
  | "repeat"
  /** It is of no use any more. */
  | "refuse"
  /** Two parties have it, and nobody knows which of them is the thief: end the family. */
  | "revoke";

/**
 * Judges a refresh token (RFC 9700, 4.14.2). One that was replaced is evidence of theft, but for a moment in which the
 * same client may have asked twice, and only while nobody has used its successor. Within it both get the same
 * successor: the family stays a chain, so that a thief and the owner hold the same token and the next use betrays them.
 */
export function verdictOn({ revoked, expired, rotatedMsAgo, successorUsed }: TokenState, leewayMs: number): Verdict {
  if (revoked || expired) return "refuse";
  if (rotatedMsAgo === null) return "rotate";
  return rotatedMsAgo < leewayMs && !successorUsed ? "repeat" : "revoke";
}
