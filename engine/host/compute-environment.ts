/**
 * Environment of a process that computes. glibc raises, up to 32 MiB, the size from which freed blocks go back to the system,
 * and building a session then leaves as much memory unreturned as it keeps. A fixed threshold prevents that. Other C libraries ignore it.
 */
export function computeEnvironment(): NodeJS.ProcessEnv {
  return { MALLOC_MMAP_THRESHOLD_: "1048576", ...process.env };
}
