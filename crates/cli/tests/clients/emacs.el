;;; A session of Eglot, Emacs's client, with `tagwright lsp`.  -*- lexical-binding: t -*-
;;; Prints one line for each thing that it saw.  The settings are those of docs/editors.md; the current folder is the
;;; repository.

(package-initialize)
(require 'eglot)
(require 'flymake)

(defvar root default-directory)

(defun say (&rest words)
  (princ (concat (mapconcat (lambda (word) (format "%s" word)) words " ") "\n")))

(defun wait-for (what condition)
  (let ((end (+ (float-time) 60)))
    (while (not (funcall condition))
      (when (> (float-time) end)
        (say "failed:" what)
        (kill-emacs 1))
      (accept-process-output nil 0.02)
      (sit-for 0.02))))

;; Emacs has no mode for YAML of its own before version 29; one without colours is enough here.
(define-derived-mode yaml-mode prog-mode "YAML")
(add-to-list 'auto-mode-alist '("\\.ya?ml\\'" . yaml-mode))
(setq eglot-sync-connect 60
      eglot-confirm-server-initiated-edits nil
      make-backup-files nil
      create-lockfiles nil)

;; Without a screen Emacs is never idle, which is when Eglot tells a server what was typed.
(defun typed ()
  (eglot--signal-textDocument/didChange))

(defun findings ()
  "The findings in this buffer in its order: rule, line and columns."
  (mapconcat
   (lambda (it)
     (let ((begin (flymake-diagnostic-beg it)) (text (flymake-diagnostic-text it)))
       (goto-char begin)
       (format "%s %d:%d-%d"
               (progn (string-match "\\[\\(.*?\\)\\]" text) (match-string 1 text))
               (line-number-at-pos)
               (- begin (line-beginning-position))
               (- (flymake-diagnostic-end it) (line-beginning-position)))))
   (sort (flymake-diagnostics) (lambda (a b) (< (flymake-diagnostic-beg a) (flymake-diagnostic-beg b))))
   ", "))

(defun shows (rule)
  (lambda () (string-match-p rule (save-excursion (findings)))))

(defun ask (method &rest more)
  (jsonrpc-request (eglot-current-server) method (append (eglot--TextDocumentPositionParams) more)))

(find-file "build/buildspec.yml")
(apply #'eglot (eglot--guess-contact))
(wait-for "diagnostics" (shows "latest-pushed"))
(say "open:" (findings))

;; A syntax error while typing, and back.
(goto-char (point-min))
(insert "env: [\n")
(typed)
(wait-for "syntax error" (shows "invalid-yaml"))
(say "broken:" (findings))
(goto-char (point-min))
(delete-region (point) (line-beginning-position 2))
(typed)
(wait-for "mended" (shows "latest-pushed"))

(goto-char (point-min))
(search-forward "push $REPO/app:")
(let ((contents (plist-get (ask :textDocument/hover) :contents)))
  (say "hover:" (car (split-string (plist-get contents :value) "\n"))))

;; What a person would pick from the menu.
(let (offered)
  (cl-letf (((symbol-function 'completing-read)
             (lambda (_prompt items &rest _) (setq offered (mapcar #'car items)) (car offered))))
    (let ((last-nonmenu-event t))
      (eglot-code-actions (point) nil nil t)))
  (say "actions:" (mapconcat #'identity offered " | ")))
(typed)
(wait-for "fixed" (lambda () (null (flymake-diagnostics))))
(goto-char (point-max))
(forward-line -1)
(say "fixed:" (string-trim (thing-at-point 'line)))
(save-buffer)

(find-file (expand-file-name "deploy/buildspec.yml" root))
(search-forward "app:1.")
(let ((inhibit-message t))
  (xref-find-definitions (thing-at-point 'symbol)))
(say "definition:" (file-relative-name buffer-file-name root) (line-number-at-pos))

(eglot-shutdown (eglot-current-server) nil 60)
(say "ended")
