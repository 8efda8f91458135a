/** `dynamic`: shift by the number of target tokens, last σ 0.02. `lightning`: a constant shift of ln 3. */
export const DIFFUSERS_SCHEDULES = ["dynamic", "lightning"] as const;
export type DiffusersSchedule = (typeof DIFFUSERS_SCHEDULES)[number];
