# figma-mcp as a static program in an image without a shell: docs/hosting.md says how to run it.
FROM rust:1-alpine AS build
# SQLite and the TLS library hold C.
RUN apk add --no-cache build-base
WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs ./
COPY .cargo .cargo
COPY src src
COPY tool-schemas tool-schemas
# Cargo wants to see every target that Cargo.toml names.
COPY benches benches
COPY README.md CHANGELOG.md ./
RUN cargo build --release --locked

# Certificate authorities, time zones and users; nothing that runs.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /build/target/release/figma-mcp /usr/bin/figma-mcp
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/figma-mcp/
USER 65532:65532
EXPOSE 3333
ENTRYPOINT ["/usr/bin/figma-mcp", "serve", "--http", "0.0.0.0:3333"]
