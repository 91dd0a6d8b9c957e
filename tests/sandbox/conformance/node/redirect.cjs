// Preloaded with `node --require`: what is meant for Xero's hosts goes to the sandbox instead.
// Knows names and ports alone. Host names stay as they are for certificates and headers.
"use strict";

const net = require("node:net");

const HOSTS = ["api.xero.com", "identity.xero.com", "login.xero.com"];
const port = Number(process.env.XERO_SANDBOX_PORT);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  const [first, ...rest] = args;
  // Node calls itself with the arguments already put into an array.
  const options = Array.isArray(first) ? first[0] : first;
  if (!HOSTS.includes(options?.host)) {
    return connect.apply(this, args);
  }
  const redirected = { ...options, host: "127.0.0.1", port };
  return connect.call(this, redirected, ...(Array.isArray(first) ? first.slice(1) : rest));
};
