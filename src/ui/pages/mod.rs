//! The pages. Rendered by the server, each whole without JavaScript. *Runs: both; rendered by the server.*

pub mod admin;
pub mod application;
pub mod confirmation;
pub mod connect;
pub mod hand_over;
pub mod home;
pub mod not_found;
pub mod register;
