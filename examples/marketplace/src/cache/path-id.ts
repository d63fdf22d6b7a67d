import type { HttpRequest } from "@sluice/http";

import { idParameters } from "../http/parameters.ts";

/** The id that a path ends with, as its route reads it; undefined for none. */
export function idInPath({ path }: Pick<HttpRequest, "path">): string | undefined {
  return idParameters.safeParse({ id: path.slice(path.lastIndexOf("/") + 1) }).data?.id;
}
