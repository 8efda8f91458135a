/**
 * Environment of a process that computes. glibc raises the size from which freed blocks go back to the system as it meets them, up
 * to 32 MiB; building a session then leaves as much memory behind as it keeps. Fixed, it does not. Other C libraries ignore it.
 */
export function computeEnvironment(): NodeJS.ProcessEnv {
  return { MALLOC_MMAP_THRESHOLD_: "1048576", ...process.env };
}
