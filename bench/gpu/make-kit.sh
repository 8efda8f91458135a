#!/usr/bin/env bash
# Packs what the probe needs for a machine without Node and without network:
#   .gpu/kit.tar.xz        Node, ONNX Runtime (CPU and WebGPU), the probe's sources      about 40 MB
#   .gpu-cuda/cuda.tar.xz  with CUDA=1: ONNX Runtime's CUDA 13 provider, sm_90 only       about 38 MB
# Run `npm ci` first. CUDA=1 and the Vulkan loader's .deb need the network; everything else comes from node_modules.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kit=$work/kit
ort=node_modules/onnxruntime-node

mkdir -p "$kit/bin" "$kit/$ort" "$kit/node_modules/onnxruntime-common/dist" .gpu
cp -L "$(realpath node_modules/node/bin/node)" "$kit/bin/node"
strip -s "$kit/bin/node"
cp -r --parents "$ort/dist" "$ort/package.json" "$ort/bin/napi-v6/linux/x64" "$kit"
cp -r node_modules/onnxruntime-common/package.json "$kit/node_modules/onnxruntime-common/"
cp -r node_modules/onnxruntime-common/dist/cjs "$kit/node_modules/onnxruntime-common/dist/"
cp -r node_modules/zod "$kit/node_modules/"
rm -rf "$kit/node_modules/zod/src"
find "$kit/node_modules" \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' \) -delete
git ls-files engine nodes bench package.json test/relative-error.ts | grep -v '\.test\.ts$' | xargs cp --parents -t "$kit"
tar -C "$kit" -c . | xz -9e -T2 > .gpu/kit.tar.xz
(cd .gpu && ls ./*.deb >/dev/null 2>&1 || apt-get download libvulkan1 >/dev/null 2>&1 || echo "no libvulkan1 .deb: WebGPU then needs the machine's own loader")

if [ -n "${CUDA:-}" ]; then
  # ONNX Runtime's providers only fit the very build they came with: this package's is the commit of onnxruntime-node 1.29.0.
  [ "$(node -p "require('./$ort/package.json').version")" = 1.29.0 ] || { echo "the CUDA provider fits onnxruntime-node 1.29.0 only" >&2; exit 1; }
  cd "$work"
  tar xzf "${CUDA_TGZ:-$(npm pack --silent com.github.asus4.onnxruntime.linux-x64-gpu@0.4.9 | tail -1)}" package/Plugins/Linux/x64
  mkdir cuda
  mv package/Plugins/Linux/x64/libonnxruntime_providers_shared.so cuda/
  "$kit/bin/node" "$root/bench/gpu/prune-fatbin.ts" package/Plugins/Linux/x64/libonnxruntime_providers_cuda.so cuda/libonnxruntime_providers_cuda.so "${SM:-90}"
  mkdir -p "$root/.gpu-cuda"
  tar -C cuda -c . | xz -9e -T2 > "$root/.gpu-cuda/cuda.tar.xz"
  cd "$root"
fi
ls -l .gpu .gpu-cuda 2>/dev/null
for f in .gpu/kit.tar.xz .gpu-cuda/cuda.tar.xz; do
  [ ! -f "$f" ] || [ "$(stat -c %s "$f")" -le $((64 << 20)) ] || { echo "$f is larger than 64 MiB" >&2; exit 1; }
done
