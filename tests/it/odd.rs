//! A server that answers everything alike, whatever it is asked.

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
};
use tokio::{net::TcpListener, task::AbortHandle};

/// The server; it goes when this is dropped.
pub struct Odd {
    pub url: String,
    serving: AbortHandle,
}

impl Odd {
    /// One that answers so.
    pub async fn start(status: StatusCode, headers: &[(&'static str, &str)], body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let router = Router::new().fallback(move || async move { (status, headers, body) });
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { url, serving }
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
