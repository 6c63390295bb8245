import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));

/**
 * Builds the technicians' page into `dist/console-web`: files that the console serves as they are. Nothing is put into
 * the HTML itself (the page's policy allows no inline script or style), and nothing is fetched from elsewhere.
 */
export default defineConfig({
  root: here,
  base: './',
  logLevel: 'warn',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    outDir: join(here, '..', '..', '..', 'dist', 'console-web'),
    emptyOutDir: true,
    // Chromium and Firefox of 2023 and Safari 16.4: what a technician's tablet of some years has.
    target: ['chrome109', 'firefox115', 'safari16.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
