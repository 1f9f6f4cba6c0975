// TensorFlow.js with its gradients and its CPU and WebAssembly back ends, as one module. Node cannot import the gradients by
// themselves, so the benchmarks bundle this file first.

import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';

export { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
export * from '@tensorflow/tfjs-core';
