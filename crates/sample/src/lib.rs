//! Seeded settlement days with planted truth, as bytes in memory.
