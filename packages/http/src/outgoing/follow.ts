import type { Exchange } from "../exchange.ts";
import type { NodeResponse } from "./messages.ts";
import { headOf } from "./response-head.ts";

/** Reports how a response ends: by its own end, never by that of its request, which closes once its body has come. */
export function follow(response: NodeResponse, exchange: Exchange): void {
  response.once("close", () => {
    if (response.errored) exchange.fail(response.errored);
    else if (response.writableEnded) {
      exchange.head(headOf(response));
      exchange.end();
    }
    exchange.gone();
  });
}

/** Whether the client went away before the response was complete. */
export function hasLeft({ destroyed, stream, writableEnded }: NodeResponse): boolean {
  return (destroyed ?? stream?.destroyed) === true && !writableEnded;
}
