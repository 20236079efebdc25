/** Two servers of twenty lines: `node http-server.ts noop|commit <socket> <database>`; both read the body and say 200. */
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

const [kind, socket = '', database = ''] = process.argv.slice(2);
const db = kind === 'commit' ? new DatabaseSync(database) : null;
db?.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (seq INTEGER PRIMARY KEY, body TEXT)');
const insert = db?.prepare('INSERT INTO t (body) VALUES (?)');

createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => (body += part));
  request.on('end', () => {
    insert?.run(body);
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
}).listen(socket, () => process.send?.('ready'));
