//! A sink in front of the caller's: holds the limits and stops strict reading at the first fault.
