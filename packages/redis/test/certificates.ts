import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { onTestFinished } from "vitest";

/** A certificate authority, and a certificate of it for `localhost` alone. All files are gone when the test ends. */
export interface Certificates {
  readonly ca: string;
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string };
}

/** Made by `openssl`, valid for a day. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(path.join(tmpdir(), "sluice-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const openssl = (...args: string[]): unknown => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority"];
  openssl("req", "-x509", ...newKey, "-days", "1", ...authority);
  openssl("req", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  writeFileSync(path.join(folder, "names"), "subjectAltName=DNS:localhost\n");
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
  openssl("x509", "-req", "-in", "server.csr", ...signing, "-days", "1", "-out", "server.pem");
  const [ca = "", certificate = "", key = ""] = ["ca.pem", "server.pem", "server.key"].map((file) =>
    path.join(folder, file),
  );
  return { ca: readFileSync(ca, "utf8"), files: { ca, certificate, key } };
}
