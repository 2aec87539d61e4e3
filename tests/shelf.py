"""A file system of Beam's for tests, as remote for us as a bucket is."""

from pathlib import Path

from apache_beam.io.localfilesystem import LocalFileSystem


class Shelf(LocalFileSystem):
    """Files with names like shelf://album/a.jpg: as remote for us as a bucket is, though they lie in a folder here."""

    place = ""

    @classmethod
    def scheme(cls):
        return "shelf"

    def _here(self, path):
        return path.replace("shelf:/", self.place)

    def _there(self, path):
        return path.replace(self.place, "shelf:/")

    def join(self, basepath, *paths):
        return "/".join([basepath, *paths])

    def split(self, path):
        return tuple(path.rsplit("/", 1))

    def match(self, patterns, limits=None):
        results = super().match([self._here(pattern) for pattern in patterns], limits)
        for result, pattern in zip(results, patterns, strict=True):
            result.pattern = pattern
            for file in result.metadata_list:
                file.path = self._there(file.path)
        return results

    def create(self, path, *args, **kwargs):
        Path(self._here(path)).parent.mkdir(parents=True, exist_ok=True)  # buckets have no folders to make
        return super().create(self._here(path), *args, **kwargs)

    def open(self, path, *args, **kwargs):
        return super().open(self._here(path), *args, **kwargs)

    def exists(self, path):
        return super().exists(self._here(path))

    def rename(self, sources, destinations):
        super().rename(*([self._here(path) for path in paths] for paths in (sources, destinations)))

    def delete(self, paths):
        for path in paths:
            Path(self._here(path)).unlink()
