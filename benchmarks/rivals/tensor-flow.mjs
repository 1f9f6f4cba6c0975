// TensorFlow.js with its gradients and its CPU back end, as one module. Node cannot import the gradients by themselves,
// so the benchmark bundles this file first.

import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';

export * from '@tensorflow/tfjs-core';
