// Answers every request with the name of the machine, and writes its pid file once it can: node server.mjs PORT PIDFILE
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const [port, pidFile] = process.argv.slice(2);
createServer((_request, response) => response.setHeader('connection', 'close').end(`${hostname()}\n`)).listen(
  Number(port),
  () => {
    writeFileSync(pidFile, String(process.pid));
  },
);
process.on('SIGTERM', () => process.exit(0));
