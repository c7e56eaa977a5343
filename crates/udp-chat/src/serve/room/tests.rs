//! The room with simulated clients, on a clock of its own and without a network.

mod admission;
mod hostile;
mod sim;
mod talk;
