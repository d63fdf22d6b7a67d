import { InvalidArgumentError } from "@sluice/core";

import { checkedId, checkedLines, checkedMs, checkedText } from "./checks.ts";
import type { ReserveRequest } from "./reservation.ts";
import type { Settings } from "./settings.ts";
import type { Wanted } from "./store.ts";

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the member. */
export function wantedOf(
  request: ReserveRequest,
  { reservationTtlMs }: Pick<Settings<never>, "reservationTtlMs">,
): Wanted {
  const id = checkedId("id", request.id);
  const replaces = request.replaces === undefined ? undefined : checkedId("replaces", request.replaces);
  if (replaces === id) throw new InvalidArgumentError("replaces", "another id than that of the request", replaces);
  return {
    id,
    lines: checkedLines(request.lines),
    ttlMs: checkedMs("ttlMs", request.ttlMs ?? reservationTtlMs),
    reference: request.reference === undefined ? undefined : checkedText("reference", request.reference),
    replaces,
  };
}
