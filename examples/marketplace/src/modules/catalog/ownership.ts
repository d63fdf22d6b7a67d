import { Failure, invalidFields, notFound } from "../../http/failure.ts";
import type { Principal } from "../../http/principal.ts";

/** What somebody wants to change. */
export interface OwnedRow {
  readonly seller: { readonly id: string };
  readonly version: number;
}

/** Who wants to change what. */
export interface Attempt {
  readonly principal: Principal;
  /** As in `Listing`. */
  readonly what: string;
  /** Whether everybody may see the row. */
  readonly isPublic: boolean;
  /** Whether administrators may do this to rows of others. Default: no. */
  readonly byAdmins?: boolean;
}

/**
 * Lets the owner change a row. Of a row that others cannot see they learn nothing: it is not found, as if it were not
 * there.
 *
 * @throws a 404 or a 403.
 */
export function assertMayChange({ seller }: OwnedRow, { principal, what, isPublic, byAdmins = false }: Attempt): void {
  if (principal.sellerId === seller.id) return;
  if (byAdmins && principal.role === "admin") return;
  if (!isPublic) throw notFound(what);
  throw new Failure(403, ["NOT_OWNER", `This ${what.toLowerCase()} is somebody else's`]);
}

/** @throws a 409 where the client expects a version that is gone. */
export function assertVersion({ version }: OwnedRow, expected: number | undefined): void {
  if (expected === undefined || expected === version) return;
  throw new Failure(409, ["VERSION_CONFLICT", "It was changed meanwhile: read it again"], { details: { version } });
}

/** A category that does not exist, in a body. */
export function unknownCategory(): Failure {
  return invalidFields([{ path: "body.category", message: "is not a category, see /api/categories" }]);
}
