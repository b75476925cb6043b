/**
 * A server behind a load balancer: any page is the name of its machine; what is posted to `/echo` comes back as it
 * arrives, for as long as the client likes. `node real-server.ts PORT`
 */
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const server = createServer((request, response) => {
  if (request.url === '/echo') {
    request.pipe(response);
    request.on('error', () => response.destroy()); // the client is gone
    return;
  }
  response.setHeader('connection', 'close').end(`${hostname()}\n`);
});
server.requestTimeout = 0; // an echo has no end
server.listen(Number(process.argv[2]), () => process.stdout.write('ready\n'));
