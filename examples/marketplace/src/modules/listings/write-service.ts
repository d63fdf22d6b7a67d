import { Failure, notFound } from "../../http/failure.ts";
import type { Principal } from "../../http/principal.ts";
import { assertMayChange, assertVersion, changed, unknownCategory } from "../catalog/index.ts";
import type { ListingChange, NewListing, OwnListing } from "./listing-changes.ts";
import type { ListingWriteRepository, LockedListing } from "./write-repository.ts";

/** What sellers and administrators can do about listings. */
export interface ListingWriteService {
  /** A listing that waits for approval. */
  create(principal: Principal, listing: NewListing): Promise<OwnListing>;
  /** @throws a 404, a 403 for somebody else's, a 409 for another version. */
  change(principal: Principal, id: string, change: ListingChange): Promise<OwnListing>;
  /** @throws a 404, or a 403 for somebody else's. */
  remove(principal: Principal, id: string): Promise<void>;
  /** @throws a 404, or a 409 for a draft and for what is sold. */
  approve(id: string): Promise<OwnListing>;
  /** Says whether an inspection has been asked for. */
  inspect(id: string, flag: boolean): Promise<OwnListing>;
}

const approvable: ReadonlySet<OwnListing["status"]> = new Set(["pending", "rejected", "approved"]);

/** The rules over a repository. */
export function listingWriteService(repository: ListingWriteRepository): ListingWriteService {
  async function withListing<T>(id: string, work: (locked: LockedListing) => Promise<T>): Promise<T> {
    const result = await repository.withLocked(id, async (locked) => ({ value: await work(locked) }));
    if (result === undefined) throw notFound("Listing");
    return result.value;
  }

  return {
    async create({ sellerId }, listing) {
      // The route lets sellers in, and nobody else.
      if (sellerId === null) throw notFound("Shop");
      return (await repository.create(sellerId, listing)) ?? refuseCategory();
    },
    change: (principal, id, { version, ...facts }) =>
      withListing(id, async (locked) => {
        assertOwner(locked, principal);
        assertVersion(locked.listing, version);
        return (await locked.save(changed(locked.listing, facts))) ?? refuseCategory();
      }),
    remove: (principal, id) =>
      withListing(id, async (locked) => {
        assertOwner(locked, principal);
        await locked.remove();
      }),
    approve: (id) =>
      withListing(id, async (locked) => {
        const { status } = locked.listing;
        if (!approvable.has(status)) throw new Failure(409, ["NOT_APPROVABLE", `The listing is ${status}`]);
        return update(locked, { status: "approved" });
      }),
    inspect: (id, flag) => withListing(id, (locked) => update(locked, { inspection_flag: flag })),
  };
}

function assertOwner({ listing }: LockedListing, principal: Principal): void {
  assertMayChange(listing, { principal, what: "Listing", isPublic: listing.status === "approved" });
}

/** Writes a change where it is one: what is said twice is no new version. */
async function update(
  locked: LockedListing,
  change: Pick<OwnListing, "status"> | Pick<OwnListing, "inspection_flag">,
): Promise<OwnListing> {
  const { listing } = locked;
  const next = { ...listing, ...change };
  if (next.status === listing.status && next.inspection_flag === listing.inspection_flag) return listing;
  return (await locked.save(next)) ?? refuseCategory();
}

function refuseCategory(): never {
  throw unknownCategory();
}
