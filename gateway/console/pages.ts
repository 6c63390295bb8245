import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

/** One file of the front end, as it is served. */
export interface Page {
  readonly type: string;
  readonly body: Buffer;
  /** Its name changes with its content, so a browser may keep it for ever. */
  readonly isImmutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};
/** What vite puts into the name of a file: `assets/index-BQ3x_9aZ.js`. */
const HASHED = /^\/assets\/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Balise</title>
<h1>The console's pages are not built</h1>
<p>Run <code>npm run build</code> in the program's folder and start the gateway anew. The command line works without them: <code>balise --help</code>.</p>
</html>
`;

/**
 * The front end as a table from path to file, read once. What is not in the table is not served, whatever a path holds:
 * no request ever becomes a file's name.
 */
export class Pages {
  readonly #pages = new Map<string, Page>();

  /** @param folder what `vite build` made: `index.html` and what it needs. */
  constructor(folder: string) {
    const index = join(folder, 'index.html');
    if (!existsSync(index)) {
      this.#pages.set('/', { type: 'text/html; charset=utf-8', body: Buffer.from(NOT_BUILT), isImmutable: false });
      return;
    }
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const file = join(entry.parentPath, entry.name);
      const path = `/${relative(folder, file).split(sep).join('/')}`;
      this.#pages.set(path, { type, body: readFileSync(file), isImmutable: HASHED.test(path) });
    }
    const page = this.#pages.get('/index.html');
    if (page !== undefined) this.#pages.set('/', page);
  }

  /** The file at a path as it stands in the request, not decoded. */
  at(path: string): Page | undefined {
    return this.#pages.get(path);
  }

  get paths(): readonly string[] {
    return [...this.#pages.keys()];
  }
}
