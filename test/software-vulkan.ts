// A Vulkan driver that needs no GPU, for WebGPU in tests.
import { existsSync } from "node:fs";

/** Where SwiftShader (of Chromium and Chrome) and lavapipe put their manifests. */
const MANIFESTS = [
  "/usr/lib/chromium/vk_swiftshader_icd.json",
  "/usr/lib64/chromium-browser/vk_swiftshader_icd.json",
  "/usr/lib/chromium-browser/vk_swiftshader_icd.json",
  "/opt/google/chrome/vk_swiftshader_icd.json",
  "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
  "/usr/share/vulkan/icd.d/lvp_icd.json",
];

/**
 * Points this process's Vulkan loader at a driver, before anything asks for one. VK_ICD_FILENAMES and VK_DRIVER_FILES go first.
 * @returns the driver's manifest, or undefined where none is installed
 */
export function useSoftwareVulkan(): string | undefined {
  const given = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  const manifest = given ?? MANIFESTS.find((path) => existsSync(path));
  if (manifest) {
    process.env.VK_ICD_FILENAMES = manifest;
    process.env.VK_DRIVER_FILES = manifest;
    process.env.XDG_RUNTIME_DIR ??= "/tmp";
  }
  return manifest;
}
