// The text of a WebAssembly binary, by the WebAssembly Binary Toolkit: what the assembler wrote, for people to read.

import wabt from 'wabt';

/** The text format (WAT), with names where the binary has a name section. */
export async function wasmText(binary: Uint8Array): Promise<string> {
  const { readWasm } = await wabt();
  const module = readWasm(binary, { readDebugNames: true, simd: true, threads: true } as never);
  try {
    module.applyNames();
    return module.toText({ foldExprs: true, inlineExport: true });
  } finally {
    module.destroy();
  }
}
