// Stops `npm install` and `yarn`, which would leave a tree that nothing here can use: the workspace is pnpm's.
const agent = process.env.npm_config_user_agent ?? "";

if (agent !== "" && !agent.startsWith("pnpm/")) {
  console.error("\nNothing needs installing by hand: type `npm start` or `npm test`. Each brings what it needs.\n");
  process.exit(1);
}
