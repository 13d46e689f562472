-- The list of one person's reviews reads an index, newest first, however many reviews the tenant has.
CREATE INDEX "reviews_reviewer" ON "reviews" USING btree ("tenant_id","reviewer_id","id");
