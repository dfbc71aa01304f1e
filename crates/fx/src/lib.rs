//! Pairs and rates, exact conversion with its trail.
