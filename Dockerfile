# One image for every part of MLED. Alone it runs all of them on SQLite:   docker run -p 8000:8000 -v mled:/data mled
# With docker-compose.yml each part runs by itself on PostgreSQL and Redis.

FROM node:22-slim AS bundle
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY static static
RUN node static/build.mjs

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=4194304 \
    MALLOC_TRIM_THRESHOLD_=8388608 \
    MLED_HOST=0.0.0.0 \
    MLED_PORT=8000 \
    MLED_DATA=/data \
    MLED_STATIC_ROOT=/app/collected
RUN useradd --uid 10001 --create-home mled && mkdir /data /app && chown mled:mled /data /app
WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir --requirement requirements.txt --constraint constraints.txt
COPY --chown=mled:mled . .
COPY --from=bundle --chown=mled:mled /app/static/dist static/dist
USER mled
RUN MLED_DATA=/tmp/build python manage.py collectstatic --noinput --verbosity 0
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "mled_site.supervise.health"]
CMD ["python", "manage.py", "up"]
