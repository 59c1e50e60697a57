// An HTTP echo and its keep-alive clients. usage: node http_node.mjs server PORT | client HOST PORT SECONDS
import http from 'node:http';
import { createHash } from 'node:crypto';

const [role, ...rest] = process.argv.slice(2);
if (role === 'server') {
  http.createServer((request, response) => {
    response.setHeader('Content-Length', request.headers['content-length']);
    request.pipe(response);
  }).listen(Number(rest[0]), '0.0.0.0');
} else {
  const [host, port, seconds] = rest;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const end = Date.now() + Number(seconds) * 1000;
  const post = body => new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method: 'POST', headers: { 'Content-Length': body.length } }, response => {
      const parts = [];
      response.on('data', part => parts.push(part)).on('error', reject).on('end', () => {
        const got = Buffer.concat(parts);
        if (got.equals(body)) resolve(); else reject(new Error(`sent ${body.length} bytes, got ${got.length}, or others`));
      });
    });
    request.setTimeout(20000, () => request.destroy(new Error('no answer'))).on('error', reject).end(body);
  });
  let state = 12345;
  const block = size => {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) { state = (Math.imul(state, 1103515245) + 12345) >>> 0; bytes[i] = state >>> 16; }
    return bytes;
  };
  const bodies = [1, 17, 1000, 16384, 65537, 1000003].map(block);
  do await Promise.all(bodies.map(post)); while (Date.now() < end);
  agent.destroy();
  console.log(createHash('sha256').update(Buffer.concat(bodies)).digest('hex'));
}
