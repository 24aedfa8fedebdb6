// One turn through the published reference client. Prints one JSON object; the job comes as JSON in argv[2]:
// {url, token?, device?: {deviceId, publicKeyPem, privateKeyPem, deviceToken?}, sessionKey, message}
import { createPrivateKey, createPublicKey, generateKeyPairSync, createHash, sign, randomUUID } from "node:crypto";
import { GatewayClient } from "@openclaw/gateway-client";
import { PROTOCOL_VERSION } from "@openclaw/gateway-protocol/version";

const job = JSON.parse(process.argv[2]);
const rawPublicKey = (pem) => Buffer.from(createPublicKey(pem).export({ format: "jwk" }).x, "base64url");

function newDevice() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const publicKeyPem = publicKey.export({ type: "spki", format: "pem" });
  const privateKeyPem = privateKey.export({ type: "pkcs8", format: "pem" });
  const deviceId = createHash("sha256").update(rawPublicKey(publicKeyPem)).digest("hex");
  return { deviceId, publicKeyPem, privateKeyPem };
}

const device = job.device === "new" ? newDevice() : job.device;
const stored = { token: device?.deviceToken };
const connected = Promise.withResolvers();
const ended = Promise.withResolvers();
const events = [];
const runId = randomUUID();

const client = new GatewayClient({
  url: job.url,
  token: job.token,
  minProtocol: PROTOCOL_VERSION,
  maxProtocol: PROTOCOL_VERSION,
  ...(device
    ? { clientName: "openclaw-tui", mode: "ui", deviceIdentity: device, caps: ["tool-events"] }
    : { clientName: "gateway-client", mode: "backend" }),
  scopes: ["operator.read", "operator.write"],
  hostDeps: {
    signDevicePayload: (pem, payload) => sign(null, Buffer.from(payload), createPrivateKey(pem)).toString("base64url"),
    publicKeyRawBase64UrlFromPem: (pem) => rawPublicKey(pem).toString("base64url"),
    loadDeviceAuthToken: () => (stored.token ? { token: stored.token, scopes: ["operator.read", "operator.write"] } : null),
    storeDeviceAuthToken: ({ token }) => void (stored.token = token),
  },
  onHelloOk: (hello) => connected.resolve(hello),
  onConnectError: (error) => connected.reject(error),
  onGap: (gap) => ended.reject(new Error(`sequence gap ${JSON.stringify(gap)}`)),
  onEvent: (event) => {
    events.push(event.event);
    if (event.event !== "chat" || event.payload.runId !== runId) return;
    if (event.payload.state === "delta") deltas.push(event.payload.deltaText);
    if (["final", "aborted", "error"].includes(event.payload.state)) ended.resolve(event.payload);
  },
});
const deltas = [];

const limit = setTimeout(() => ended.reject(new Error(`no end of the turn; events: ${events}`)), 20000);
try {
  client.start();
  const hello = await connected.promise;
  const ack = await client.request("chat.send", { sessionKey: job.sessionKey, message: job.message, idempotencyKey: runId });
  const last = await ended.promise;
  const history = await client.request("chat.history", { sessionKey: job.sessionKey, limit: 50 });
  const out = { hello, ack, runId, deltas, last, history, events, device: device && { ...device, deviceToken: stored.token } };
  process.stdout.write(JSON.stringify(out));
} catch (error) {
  process.stdout.write(JSON.stringify({ failed: String(error), code: error.code, details: error.details }));
  process.exitCode = 1;
} finally {
  clearTimeout(limit);
  await client.stopAndWait({ timeoutMs: 2000 });
}
