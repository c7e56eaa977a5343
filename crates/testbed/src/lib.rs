//! For tests only: start a program, await its address, stop it.
