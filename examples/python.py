#!/usr/bin/env python3
"""chainstore from Python with nothing but ctypes: the library is opened with dlopen, and a chain
from one line of text.
usage: python.py [LIBRARY]   default libchainstore.so.0, where the system finds libraries"""
import ctypes
import sys


class Result(ctypes.Structure):
    """cs_result, 128 bytes, as in chainstore.h."""

    _fields_ = [
        ("status", ctypes.c_int32), ("flags", ctypes.c_uint32),
        ("total_size", ctypes.c_uint64), ("expires_at_ms", ctypes.c_int64),
        ("version", ctypes.c_uint64), ("tier", ctypes.c_uint32), ("reserved32", ctypes.c_uint32),
        ("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("value", ctypes.c_void_p),
        ("entries", ctypes.c_void_p), ("count", ctypes.c_size_t), ("error", ctypes.c_void_p),
        ("user_data", ctypes.c_void_p), ("owner", ctypes.c_void_p),
        ("reserved", ctypes.c_uint64 * 3)]


assert ctypes.sizeof(ctypes.c_void_p) != 8 or ctypes.sizeof(Result) == 128


def load(path):
    """The functions used here, with their types: a pointer that is not declared loses its half."""
    library = ctypes.CDLL(path)
    text, pointer, size = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t
    status, result = ctypes.c_int32, ctypes.POINTER(Result)
    for name, returns, *arguments in (
            ("cs_store_open", pointer, text, pointer, ctypes.POINTER(pointer)),
            ("cs_put_sync", status, pointer, text, size, text, size, pointer, result),
            ("cs_get_sync", status, pointer, text, size, pointer, result),
            ("cs_del_sync", status, pointer, text, size, pointer, result),
            ("cs_store_close_sync", status, pointer, pointer, result),
            ("cs_store_unref", None, pointer),
            ("cs_result_release", None, result),
            ("cs_status_name", text, status),
            ("cs_error_message", text, pointer),
            ("cs_error_unref", None, pointer)):
        function = getattr(library, name)
        function.restype, function.argtypes = returns, arguments
    return library


class Store:
    """A chain, opened from its text; closed at the end of a `with`."""

    def __init__(self, library, text):
        error = ctypes.c_void_p()
        self._library = library
        self._store = library.cs_store_open(text.encode(), None, ctypes.byref(error))
        if not self._store:
            message = library.cs_error_message(error).decode()
            library.cs_error_unref(error)
            raise ValueError(message)

    def _call(self, function, *arguments):
        """Runs one operation: its status's name and its data, a copy that Python owns."""
        result = Result()
        try:
            status = function(self._store, *arguments, None, ctypes.byref(result))
            if status < 0:
                raise OSError(self._library.cs_error_message(result.error).decode())
            return (self._library.cs_status_name(status).decode(),
                    ctypes.string_at(result.data, result.size), result.tier)
        finally:
            self._library.cs_result_release(ctypes.byref(result))

    def put(self, key, data):
        self._call(self._library.cs_put_sync, key, len(key), data, len(data))

    def get(self, key):
        return self._call(self._library.cs_get_sync, key, len(key))

    def delete(self, key):
        self._call(self._library.cs_del_sync, key, len(key))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._call(self._library.cs_store_close_sync)
        self._library.cs_store_unref(self._store)


def main():
    library = load(sys.argv[1] if len(sys.argv) > 1 else "libchainstore.so.0")
    with Store(library, "lru(48MB, memory:) > file:python-data") as store:
        store.put(b"greeting", b"hello")
        status, data, tier = store.get(b"greeting")
        print(f"{data.decode()}, from store {tier}")
        store.delete(b"greeting")
        print(store.get(b"greeting")[0])
    try:
        Store(library, "lur(48MB, memory:)")
    except ValueError as error:
        print(error)


main()
