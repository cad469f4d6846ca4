//! The whole pipeline without a runtime: what is proved here needs no Worker, no network and no clock.
#![cfg(test)]

mod alerts;
mod database;
mod deliveries;
mod erasure;
mod laws;
mod management;
mod money;
mod postbacks;
mod simulation;
mod statements;
mod told;
