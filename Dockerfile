# The collector as an image: one static binary, root certificates, version.json, and nothing else. No shell, no package
# manager, no libraries. Built for amd64 and arm64 without emulation:
#
#   docker build --tag antenna .
#   docker buildx build --platform linux/amd64,linux/arm64 --tag antenna .

# The compiler runs on the machine that builds; only what it makes is for TARGETARCH.
FROM --platform=$BUILDPLATFORM rust:1.95-slim-bookworm AS build
SHELL ["/bin/bash", "-eu", "-o", "pipefail", "-c"]
WORKDIR /build
ARG TARGETARCH

# glibc is linked statically: the final stage has no libraries. ring and mimalloc are C, so a compiler for the other
# architecture comes with its C library. Versions are Debian's: the release is fixed, its fixes are wanted.
ENV RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
# hadolint ignore=DL3008,SC2086
RUN case "${TARGETARCH:=$(dpkg --print-architecture)}" in \
        amd64) cpu=x86_64 ;; \
        arm64) cpu=aarch64 ;; \
        *) echo "no build for $TARGETARCH, only for amd64 and arm64" >&2; exit 1 ;; \
    esac; \
    echo "$cpu-unknown-linux-gnu" > /target; \
    cross=""; \
    [ "$cpu" = "$(uname -m)" ] || cross="gcc-${cpu//_/-}-linux-gnu libc6-dev-$TARGETARCH-cross"; \
    apt-get update; \
    apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev $cross; \
    rm -rf /var/lib/apt/lists/*; \
    rustc --print target-list | grep -qx "$(cat /target)"; \
    [ -d "$(rustc --print sysroot)/lib/rustlib/$(cat /target)" ] || rustup target add "$(cat /target)"

# The dependencies, in a layer of their own that only Cargo.lock changes: built for a crate of ours that is empty. What
# is left of it goes, so that its date cannot make cargo take it for the real one.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src; \
    echo 'fn main() {}' > src/main.rs; \
    touch src/lib.rs; \
    cargo build --release --locked --bin antenna --target "$(cat /target)"; \
    cargo clean --release --package antenna --target "$(cat /target)"; \
    rm -r src

COPY src src
RUN cargo build --release --locked --bin antenna --target "$(cat /target)"

# Names of functions stay, for what Sentry is told of a panic, but for those that say nothing: the AWS SDK's, and code that
# only frees something. Lines and types would be most of the image.
RUN root=/image; \
    strip=$(sed 's/-unknown-linux-gnu/-linux-gnu-strip/' /target); \
    mkdir -p "$root/app/bin" "$root/etc/ssl/certs" /writable/data/crashes /writable/data/spool; \
    "$strip" --strip-debug --wildcard -N '*aws_*' -N '*drop_in_place*' -N '*anon.*' -o "$root/app/bin/antenna" "target/$(cat /target)/release/antenna"; \
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"; \
    echo 'hosts: files dns' > "$root/etc/nsswitch.conf"; \
    echo 'antenna:x:10001:10001::/data:/sbin/nologin' > "$root/etc/passwd"; \
    echo 'antenna:x:10001:' > "$root/etc/group"

# What /__version__ answers. Last, so that another commit does not build everything anew.
ARG VERSION="" COMMIT="" SOURCE="" BUILD=""
RUN printf '{"commit": "%s", "version": "%s", "source": "%s", "build": "%s"}\n' \
        "$COMMIT" "$VERSION" "$SOURCE" "$BUILD" > /image/app/version.json

FROM scratch
ARG VERSION="" COMMIT="" SOURCE=""
LABEL org.opencontainers.image.title="antenna" \
      org.opencontainers.image.description="Crash report collector" \
      org.opencontainers.image.licenses="MPL-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.source="$SOURCE"
COPY --from=build /image /
# The only folder that it writes to, so everything else may be read-only. It is its own, and so is a new volume there.
COPY --from=build --chown=10001:10001 /writable /
WORKDIR /data
ENV BASEDIR=/app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/app/bin/antenna", "check", "--live"]
ENTRYPOINT ["/app/bin/antenna"]
CMD ["serve"]
