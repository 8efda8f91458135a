#!/usr/bin/env bash
# Runs the probe on this machine's GPU and prints its tables. In a checkout with .gpu/kit.tar.xz, or in the unpacked kit itself.
#   bash bench/gpu/run.sh [DEVICE...] [-- PROBE OPTIONS]      devices: cuda webgpu cpu; default: cuda webgpu
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
devices=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do devices+=("$1"); shift; done
[ $# -eq 0 ] || shift
[ ${#devices[@]} -gt 0 ] || devices=(cuda webgpu)

unpack() { # Python stands in where tar has no xz.
  mkdir -p "$2"
  tar -C "$2" -xJf "$1" 2>/dev/null || python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$1" "$2"
}

node=bin/node
if [ ! -x "$node" ]; then
  node=.gpu/kit/bin/node
  [ -x "$node" ] || unpack .gpu/kit.tar.xz .gpu/kit
  [ -e node_modules ] || ln -s .gpu/kit/node_modules node_modules
fi
ort=$(realpath node_modules/onnxruntime-node)/bin/napi-v6/linux/x64

if [ -f .gpu-cuda/cuda.tar.xz ] && [ ! -f "$ort/libonnxruntime_providers_cuda.so" ]; then unpack .gpu-cuda/cuda.tar.xz "$ort"; fi
# CUDA's libraries, where PyTorch's pip packages brought them.
libraries=$(python3 -c 'import glob, nvidia; print(":".join(glob.glob(list(nvidia.__path__)[0] + "/*/lib")))' 2>/dev/null || true)
export LD_LIBRARY_PATH="${libraries:+$libraries:}${LD_LIBRARY_PATH:-}"

if ! ldconfig -p 2>/dev/null | grep -q libvulkan.so.1; then
  for deb in .gpu/*.deb; do
    [ -f "$deb" ] || continue
    dpkg -x "$deb" .gpu/vulkan
    export LD_LIBRARY_PATH="$PWD/.gpu/vulkan/usr/lib/x86_64-linux-gnu:$LD_LIBRARY_PATH"
  done
fi
for icd in /usr/local/nvidia/share/vulkan/icd.d /etc/vulkan/icd.d /usr/share/vulkan/icd.d; do
  if [ -z "${VK_DRIVER_FILES:-}" ] && [ -f "$icd/nvidia_icd.json" ]; then
    export VK_DRIVER_FILES="$icd/nvidia_icd.json" VK_ICD_FILENAMES="$icd/nvidia_icd.json"
  fi
done
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}

nvidia-smi -L 2>/dev/null || echo "no NVIDIA driver here"
for device in "${devices[@]}"; do
  echo
  "$node" bench/gpu/probe.ts --device "$device" "$@" || echo "$device: the probe ended with $?"
done
