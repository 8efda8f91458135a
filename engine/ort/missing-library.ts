import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import type { Device } from "../ir/compute.ts";

/** The libraries a device needs that the loader cannot find here, in words; undefined when it finds all, or outside Linux. */
export function missingLibrary(device: Device): string | undefined {
  if (process.platform !== "linux" || device === "cpu") return undefined;
  if (device === "webgpu") return loadError("libvulkan.so.1");
  const binding = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const provider = join(binding, "bin", "napi-v6", process.platform, process.arch, "libonnxruntime_providers_cuda.so");
  return existsSync(provider) ? loadError(provider) : "ONNX Runtime's CUDA provider is not installed";
}

function loadError(library: string): string | undefined {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_LAZY);
  } catch (error) {
    // A library that is found but is not a Node module fails too, with another message.
    const message = error instanceof Error ? error.message : "";
    return /cannot open shared object file/.test(message) ? message : undefined;
  }
  return undefined;
}
