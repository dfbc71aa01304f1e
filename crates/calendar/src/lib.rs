//! Business days per place with make-up workdays, deadlines, dated values.
