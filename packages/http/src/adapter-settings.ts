import { InvalidArgumentError, systemRandom, type Random } from "@sluice/core";

import { clientAddress, type ClientAddress, type ClientAddressOptions } from "./address/client-address.ts";
import { errorReply, type ErrorReplyOptions } from "./error/error-reply.ts";
import { exchangeSettings, type ExchangeOptions, type ExchangeSettings } from "./exchange-settings.ts";

/** What an application tells each adapter, in the same words. */
export interface AdapterOptions extends ExchangeOptions, ErrorReplyOptions {
  /** Which proxies are believed about the client's address. Default: none. */
  readonly proxies?: ClientAddressOptions;
  /** The largest request body that is read for a guard or a neutral handler. Default 1 MiB. Unit: bytes. */
  readonly maxBodyBytes?: number;
  /** Makes request ids. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** Checked options of an adapter. */
export interface AdapterSettings extends ExchangeSettings {
  readonly address: ClientAddress;
  readonly maxBodyBytes: number;
  readonly random: Random;
}

/**
 * Checks an adapter's options, and fills in the defaults.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` unless `maxBodyBytes` is a whole number from 0, and for what
 *   {@link exchangeSettings} and {@link clientAddress} refuse.
 */
export function adapterSettings(options: AdapterOptions = {}): AdapterSettings {
  const { proxies, maxBodyBytes = 1024 * 1024, random = systemRandom } = options;
  const { renderError = (error, request) => errorReply(error, request, options) } = options;
  if (!(Number.isSafeInteger(maxBodyBytes) && maxBodyBytes >= 0)) {
    throw new InvalidArgumentError("maxBodyBytes", "a whole number of bytes from 0", maxBodyBytes);
  }
  return { ...exchangeSettings({ ...options, renderError }), address: clientAddress(proxies), maxBodyBytes, random };
}
