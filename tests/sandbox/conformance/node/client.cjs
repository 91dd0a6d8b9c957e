// An app that uses the official SDK as its README says. Nothing here knows of a sandbox.
//
// Reads one JSON line with what to do, prints the URL of the consent page, reads the URL of the
// callback, and prints one JSON line with all it saw.
"use strict";

const readline = require("node:readline");
const { XeroClient } = require("xero-node");

const input = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const nextLine = async () => (await input.next()).value;
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function authorize(wanted) {
  const xero = new XeroClient({
    clientId: wanted.clientId,
    clientSecret: wanted.clientSecret,
    redirectUris: [wanted.redirectUri],
    scopes: wanted.scopes,
    state: "state-of-the-app",
    httpTimeout: 20000,
  });
  await xero.initialize();
  say(await xero.buildConsentUrl());
  await xero.apiCallback(await nextLine());
  return xero;
}

async function pages(xero, tenantId) {
  const seen = [];
  for (let page = 1, last = 1; page <= last; page += 1) {
    const { body } = await xero.accountingApi.getInvoices(
      tenantId, undefined, undefined, "InvoiceNumber ASC", undefined, undefined, undefined,
      undefined, page, undefined, undefined, undefined, undefined, 7,
    );
    last = body.pagination.pageCount;
    seen.push(...body.invoices);
  }
  return {
    ids: seen.map((invoice) => invoice.invoiceID),
    lines: seen.filter((invoice) => invoice.lineItems.length > 0).length,
    total: seen.reduce((sum, invoice) => sum + invoice.total, 0),
  };
}

// Every list: operation to the number of its records.
async function lists(xero, tenantId, operations) {
  const counts = {};
  for (const operation of operations) {
    const { body } = await xero.accountingApi[operation](tenantId);
    const arrays = Object.values(body).filter(Array.isArray);
    counts[operation] = arrays[0].length;
  }
  return counts;
}

async function reports(xero, tenantId) {
  const api = xero.accountingApi;
  const found = [
    await api.getReportTrialBalance(tenantId, "2026-11-19"),
    await api.getReportProfitAndLoss(tenantId, "2026-11-01", "2026-11-19"),
    await api.getReportBalanceSheet(tenantId, "2026-11-19"),
  ];
  return found.map(({ body }) => [body.reports[0].reportName, body.reports[0].rows.length]);
}

async function custom(wanted) {
  const xero = new XeroClient({
    clientId: wanted.clientId,
    clientSecret: wanted.clientSecret,
    grantType: "client_credentials",
  });
  const token = await xero.getClientCredentialsToken();
  const { body } = await xero.accountingApi.getOrganisations("");
  return { scope: token.scope, organisations: body.organisations.map((each) => each.name) };
}

async function main() {
  const wanted = JSON.parse(await nextLine());
  if (wanted.flow === "client_credentials") {
    say(await custom(wanted));
    return;
  }
  const xero = await authorize(wanted);
  const [tenant] = await xero.updateTenants();
  const before = xero.readTokenSet();
  const after = await xero.refreshToken();
  const tenantId = tenant.tenantId;
  const seen = {
    email: before.claims().email,
    tenant: { id: tenantId, name: tenant.tenantName, organisation: tenant.orgData.name },
    isRefreshed: before.refresh_token !== after.refresh_token,
    pages: await pages(xero, tenantId),
    lists: await lists(xero, tenantId, wanted.operations),
    reports: await reports(xero, tenantId),
  };
  await xero.disconnect(tenant.id);
  seen.afterDisconnecting = await xero.updateTenants();
  await xero.revokeToken();
  seen.afterRevoking = await xero.refreshWithRefreshToken(
    wanted.clientId, wanted.clientSecret, after.refresh_token,
  ).catch((error) => error.response.status);
  say(seen);
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
