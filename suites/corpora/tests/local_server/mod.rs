//! A web server of this machine with files in memory. It also lists them as S3 does, for the bucket of the path's first part.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A file that is served.
#[derive(Debug, Clone, Default)]
pub struct Served {
    pub content: Vec<u8>,
    pub e_tag: Option<String>,
    /// After how many bytes of content the connection is closed, and how often.
    pub cut: Option<(usize, usize)>,
}

#[derive(Default)]
struct State {
    /// By path, such as `/bucket/a.txt`.
    files: BTreeMap<String, Served>,
    /// Method and target of every request.
    requests: Vec<String>,
}

pub struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        // It ends with the process.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let state = shared.clone();
                std::thread::spawn(move || answer(connection.unwrap(), &state));
            }
        });
        Self { address, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn serve(&self, path: &str, served: Served) {
        let files = &mut self.state.lock().unwrap().files;
        files.insert(path.to_owned(), served);
    }

    pub fn remove(&self, path: &str) {
        self.state.lock().unwrap().files.remove(path);
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

fn answer(mut connection: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let range = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(": bytes=")?;
        let (from, to) = value.split_once('-')?;
        let bounds = (from.parse().ok()?, to.parse::<usize>().ok()? + 1);
        name.eq_ignore_ascii_case("range").then_some(bounds)
    });
    let (head, body) = response(&mut state.lock().unwrap(), method, target, range);
    // The client may be gone.
    let _ = connection
        .write_all(head.as_bytes())
        .and_then(|()| connection.write_all(&body));
}

fn response(
    state: &mut State,
    method: &str,
    target: &str,
    range: Option<(usize, usize)>,
) -> (String, Vec<u8>) {
    state.requests.push(format!("{method} {target}"));
    if let Some((bucket, query)) = target.split_once('?') {
        let listing = listing(state, bucket, query);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            listing.len()
        );
        return (head, listing.into_bytes());
    }
    let Some(file) = state.files.get_mut(target) else {
        let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return (head.to_owned(), Vec::new());
    };
    let all = file.content.len();
    let (from, to) = range.unwrap_or((0, all));
    let mut head = match range {
        Some(_) => format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{all}\r\n",
            to - 1
        ),
        None => "HTTP/1.1 200 OK\r\n".to_owned(),
    };
    if let Some(e_tag) = &file.e_tag {
        head += &format!("ETag: \"{e_tag}\"\r\n");
    }
    head += "Last-Modified: Fri, 01 Jan 2021 00:00:00 GMT\r\nConnection: close\r\n";
    head += &format!("Content-Length: {}\r\n\r\n", to - from);
    let mut body = match method {
        "GET" => file.content[from..to].to_vec(),
        _ => Vec::new(),
    };
    if let (Some((bytes, times)), "GET") = (file.cut, method) {
        body.truncate(bytes);
        file.cut = (times > 1).then(|| (bytes, times - 1));
    }
    (head, body)
}

/// The answer to `ListObjectsV2`.
fn listing(state: &State, bucket: &str, query: &str) -> String {
    let prefix = query
        .split('&')
        .find_map(|part| part.strip_prefix("prefix="));
    let prefix = prefix.unwrap_or_default().replace("%2F", "/");
    let mut contents = String::new();
    for (path, file) in &state.files {
        let key = path
            .strip_prefix(bucket)
            .and_then(|rest| rest.strip_prefix('/'));
        if let Some(key) = key.filter(|key| key.starts_with(&prefix)) {
            contents += &format!(
                "<Contents><Key>{key}</Key><LastModified>2021-01-01T00:00:00.000Z</LastModified>\
                 <ETag>&quot;{}&quot;</ETag><Size>{}</Size></Contents>",
                file.e_tag.as_deref().unwrap_or_default(),
                file.content.len()
            );
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult>\
         <IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
    )
}
