import { defineConfig } from 'vite';

// With these two headers a page is cross-origin isolated, and the library trains on threads; without, on one.
const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
// What the built page needs, and no more: its own files, WebAssembly, and threads, which start from blob: URLs.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:";

export default defineConfig({
  base: './',
  publicDir: '../data',
  worker: { format: 'es' },
  build: { assetsInlineLimit: 0 },
  server: { headers: isolated },
  preview: { headers: { ...isolated, 'Content-Security-Policy': policy } },
});
