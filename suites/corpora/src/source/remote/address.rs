//! URLs of objects, and of prefixes that stand for all objects below them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::path::Path as Key;
use object_store::{ClientConfigKey, ClientOptions, ObjectStore};

use crate::CorpusError;
use crate::source::files::{KNOWN, kind};

/// Bounds a whole request with its content, so that it must allow for the largest object; what stalls is noticed while it is read.
const REQUEST_TIMEOUT: &str = "7days";

/// A service that has objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `s3://BUCKET/KEY`
    S3,
    /// `gs://BUCKET/KEY`
    GoogleCloud,
    /// `https://HOST/PATH`, and `http://` of this machine.
    Web,
}

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The URL up to the key: its scheme, and the bucket or the host with its port.
    pub origin: String,
    /// The service.
    pub service: Service,
    /// The key of the object, or of the prefix.
    pub key: Key,
    /// Whether it is a prefix.
    pub is_prefix: bool,
}

impl Address {
    /// The address of a URL, a value of the configuration's `key`.
    ///
    /// # Errors
    /// If the URL is not supported.
    pub fn parse(key: &str, url: &Path) -> Result<Self, CorpusError> {
        let invalid = |remedy: &str| CorpusError::config(key, url.display(), remedy);
        let text = url.to_str().unwrap_or_default();
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let service = match scheme {
            "s3" => Service::S3,
            "gs" => Service::GoogleCloud,
            "https" => Service::Web,
            "http" if is_this_machine(authority) => Service::Web,
            "http" => {
                return Err(invalid(
                    "http:// is read from localhost alone; write https://",
                ));
            }
            _ => {
                return Err(invalid(
                    "write a local path, or a URL that begins with s3://, gs:// or https://",
                ));
            }
        };
        // It becomes the name of a folder, and is recorded with the configuration.
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if authority.contains('@') {
            return Err(invalid(
                "remove the credentials, which would be recorded; give them by the environment, or copy the file",
            ));
        }
        if authority.bytes().all(|byte| byte == b'.') || !authority.bytes().all(is_valid) {
            return Err(invalid("correct the name of the bucket or host"));
        }
        if path.contains(['*', '?', '[']) {
            return Err(invalid(
                "URLs have no globs and no queries; give an object, or a prefix that stands for all objects below it",
            ));
        }
        let is_prefix = path.is_empty() || path.ends_with('/') || kind(Path::new(path)).is_none();
        if service == Service::Web && is_prefix {
            return Err(invalid(&format!(
                "a web server lists no files; give a file that ends in {KNOWN}"
            )));
        }
        let parsed = match service {
            // Keys of buckets are written as they are.
            Service::S3 | Service::GoogleCloud => Key::parse(path),
            Service::Web => Key::from_url_path(path),
        };
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            service,
            key: parsed.map_err(|error| invalid(&format!("correct the path ({error})")))?,
            is_prefix,
        })
    }

    /// The same service with another key.
    pub fn at(&self, key: Key) -> Self {
        Self {
            key,
            is_prefix: false,
            ..self.clone()
        }
    }

    /// The URL.
    pub fn url(&self) -> String {
        format!("{}/{}", self.origin, self.key)
    }

    /// The path of the copy of the object below a folder, which has the names of the URL: copies then have the order of the objects.
    pub fn path_below(&self, folder: &Path) -> PathBuf {
        let mut path: PathBuf = folder.join(self.origin.replace("://", "/"));
        path.extend(self.key.parts().map(|part| part.as_ref().to_owned()));
        path
    }

    /// A client of the service, with the settings and credentials of the environment.
    ///
    /// # Errors
    /// If the environment has an invalid setting.
    pub fn open(&self) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        let bucket = self.origin.split_once("://").map_or("", |(_, name)| name);
        Ok(match self.service {
            Service::S3 => {
                let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
                let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
                Arc::new(builder.with_config(timeout, REQUEST_TIMEOUT).build()?)
            }
            Service::GoogleCloud => {
                let timeout = GoogleConfigKey::Client(ClientConfigKey::Timeout);
                let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
                Arc::new(builder.with_config(timeout, REQUEST_TIMEOUT).build()?)
            }
            Service::Web => {
                let options = ClientOptions::new()
                    .with_allow_http(self.origin.starts_with("http://"))
                    .with_timeout_disabled();
                let builder = HttpBuilder::new().with_url(&self.origin);
                Arc::new(builder.with_client_options(options).build()?)
            }
        })
    }
}

fn is_this_machine(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, String> {
        Address::parse("corpus.a.paths", Path::new(url)).map_err(|error| error.to_string())
    }

    #[test]
    fn objects_end_in_a_known_ending_and_all_else_is_a_prefix() {
        for (url, expected, is_prefix) in [
            ("s3://b/a/c.jsonl.gz", "a/c.jsonl.gz", false),
            ("s3://b/a 50%.txt", "a 50%.txt", false),
            ("s3://b/a.txt/", "a.txt", true),
            ("gs://b/a", "a", true),
            ("gs://b", "", true),
            ("https://h.org:8443/a%20b/c.txt", "a b/c.txt", false),
            ("http://localhost:80/c.bin", "c.bin", false),
        ] {
            let address = parse(url).unwrap();
            let found = (address.key.as_ref(), address.is_prefix);
            assert_eq!(found, (expected, is_prefix), "{url}");
        }
    }

    #[test]
    fn copies_have_the_names_of_the_url() {
        let address = parse("https://h.org:8443/a%20b/c.txt").unwrap();
        let path = address.path_below(Path::new("fetched"));
        assert_eq!(path, Path::new("fetched/https/h.org:8443/a b/c.txt"));
    }

    #[test]
    fn other_urls_are_errors_that_say_what_to_write() {
        for (url, expected) in [
            ("ftp://h/a.txt", "begins with s3://, gs:// or https://"),
            ("http://h.org/a.txt", "write https://"),
            ("http://localhost.org/a.txt", "write https://"),
            ("https://me:secret@h.org/a.txt", "remove the credentials"),
            ("https://h.org/a", "a web server lists no files"),
            ("https://h.org/a.txt?x=1", "no globs and no queries"),
            ("s3://b/*.txt", "no globs and no queries"),
            ("s3:///a.txt", "correct the name of the bucket"),
            ("s3://../a.txt", "correct the name of the bucket"),
            ("s3://b/../a.txt", "correct the path"),
            ("s3://b/a//c.txt", "correct the path"),
            ("https://h.org/%2e%2e/a.txt", "correct the path"),
            ("https://h.org/a%2F..%2Fc.txt", "correct the path"),
        ] {
            let message = parse(url).unwrap_err();
            assert!(message.contains(expected), "{url}: {message}");
            assert!(message.contains("corpus.a.paths"), "{message}");
        }
    }
}
