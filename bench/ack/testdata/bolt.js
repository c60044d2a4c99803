// @slack/bolt as its guide has it: a signed slash command, acknowledged at once.
const { App, HTTPReceiver, LogLevel } = require("@slack/bolt");

const receiver = new HTTPReceiver({ signingSecret: process.env.SLACK_SIGNING_SECRET, endpoints: "/slack", logLevel: LogLevel.ERROR });
const app = new App({
  receiver,
  authorize: async () => ({ botToken: "xoxb-1", botId: "B0001", botUserId: "U0001" }),
  logLevel: LogLevel.ERROR,
});
app.command("/packer-hybrid", async ({ ack }) => {
  await ack();
});
app.start({ port: 0, host: "127.0.0.1" }).then((server) => console.log(server.address().port));
